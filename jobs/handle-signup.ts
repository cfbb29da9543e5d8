import { handleSignups, type SignupDeps } from "../src/subscribers/signup.ts";

/** Handles every waiting sign-up. */
export async function handleSignupJob(deps: SignupDeps) {
  await handleSignups(deps);
}
