import { Option, type Command } from "commander";
import { collect } from "./arguments.ts";
import type { Context } from "./context.ts";

const forms = ["text", "html", "eml"] as const;
type Form = (typeof forms)[number];

interface SampleOptions extends Partial<Record<Form, boolean>> {
  tag?: string[];
}

/** What readers see at `/sample`, for a terminal, a browser or an email program. */
export function addSample(program: Command, { terminal, client }: Context): void {
  const command = program
    .command("sample")
    .description("print the sample copy that readers see, without sending anything")
    .option("--tag <tag>", "show what a reader of this tag gets; can be repeated", collect);
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
  text: "as text (default)",
  html: "as HTML",
  eml: "as a complete email, to open in an email program",
};
