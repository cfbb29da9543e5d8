import type { Lookup } from "../../src/cli/doctor/dns.ts";

/** Records of one name. `away`: its name server does not answer. */
export type Records = { txt?: string[]; mx?: string[]; addresses?: string[] } | "away";

/** A name server with these names and no others. */
export function zone(names: Record<string, Records>): Lookup {
  const ask = (type: keyof Exclude<Records, "away">) => async (name: string) => {
    const records = names[name.toLowerCase()];
    if (records === "away") throw Object.assign(new Error("no answer"), { code: "ETIMEOUT" });
    if (records?.[type]) return records[type];
    throw Object.assign(new Error("none"), { code: records ? "ENODATA" : "ENOTFOUND" });
  };
  return { txt: ask("txt"), mx: ask("mx"), addresses: ask("addresses") };
}
