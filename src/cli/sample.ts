import { Option, type Command } from "commander";
import { collect } from "./arguments.ts";
import type { Context } from "./context.ts";

const forms = ["text", "html", "eml"] as const;
type Form = (typeof forms)[number];

interface SampleOptions extends Partial<Record<Form, boolean>> {
  tag?: string[];
}

/** What readers see at `/sample`, for a terminal, a browser or a mail program. */
export function addSample(program: Command, { terminal, client }: Context): void {
  const command = program
    .command("sample")
    .description("print the sample copy that readers see; nothing is sent")
    .option("--tag <tag>", "as a reader of this tag would get it; may be repeated", collect);
  for (const form of forms) {
    const others = forms.filter((other) => other !== form);
    command.addOption(new Option(`--${form}`, descriptions[form]).conflicts(others));
  }
  command.action(async ({ tag, ...chosen }: SampleOptions) => {
    const as = forms.find((form) => chosen[form]) ?? "text";
    terminal.raw(await client().download("/editions/newest/preview", { tags: tag ?? [], as }));
  });
}

const descriptions: Record<Form, string> = {
  text: "as text (the usual)",
  html: "as HTML",
  eml: "the whole mail, to open in a mail program",
};
