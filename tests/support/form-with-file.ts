/** A form with a file as a browser sends it without scripts: body and content type. */
export async function formWithFile(
  fields: Record<string, string>,
  file: { field: string; name: string; content: Buffer },
): Promise<{ payload: Buffer; type: string }> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set(file.field, new Blob([new Uint8Array(file.content)]), file.name);
  const sent = new Response(form);
  return { payload: Buffer.from(await sent.arrayBuffer()), type: sent.headers.get("content-type")! };
}
