import nodemailer from "nodemailer";

/** Sends the bounce of an email to its return path, as the server of an address that doesn't exist does. */
export async function bounceTo(
  returnPath: string,
  { port, status = "5.1.1" }: { port: number; status?: string },
): Promise<void> {
  const transport = nodemailer.createTransport({ host: "127.0.0.1", port, ignoreTLS: true });
  const report = `Reporting-MTA: dns; mx.example.org\r\n\r\nAction: failed\r\nStatus: ${status}\r\nDiagnostic-Code: smtp; 550 ${status} Not here\r\n`;
  const raw = `Content-Type: message/delivery-status\r\n\r\n${report}`;
  try {
    await transport.sendMail({ envelope: { from: "", to: returnPath }, raw });
  } finally {
    transport.close();
  }
}
