import { handleSignups, type SignupDeps } from "../src/subscribers/handle-signup.ts";

/** Looks at every sign-up that waits. */
export async function handleSignupJob(deps: SignupDeps) {
  await handleSignups(deps);
}
