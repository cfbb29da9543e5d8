import { expect, test } from "vitest";
import { Refusal } from "../../../../src/base/errors.ts";
import { openSns } from "../../../../src/outcomes/hooks/sns.ts";
import { certificateUrl, snsCall, topic } from "../../../support/hook-calls.ts";
import { snsCertificates } from "../../../support/sns-certificates.ts";

const at = new Date("2026-11-24T08:00:00Z");

function open(certificate: string, of = topic): { read: ReturnType<typeof openSns>; asked: string[] } {
  const asked: string[] = [];
  const read = openSns({
    clock: { now: () => at },
    topic: of,
    refuse: (check) => new Refusal(401, "webhook_unverified", { check }),
    async fetchDocument(url) {
      asked.push(url);
      return Buffer.from(certificate);
    },
  });
  return { read, asked };
}

const message = (replaced = {}): unknown => JSON.parse(snsCall({ some: "event" }, at, { replaced }).body);

test("messages that arrive together share one request for the certificate", async () => {
  const { read, asked } = open(snsCertificates.genuine);
  const texts = await Promise.all(Array.from({ length: 20 }, () => read(message())));
  expect(new Set(texts)).toEqual(new Set(['{"some":"event"}']));
  expect(await read(message())).toBe('{"some":"event"}');
  expect(asked).toEqual([certificateUrl]);
});

test("forged messages cause at most ten requests to Amazon in a minute", async () => {
  const { read, asked } = open("no certificate");
  const checks: unknown[] = [];
  for (let i = 0; i < 15; i++) {
    const SigningCertURL = certificateUrl.replace(/-\w+\.pem/, `-${i}.pem`);
    await read(message({ SigningCertURL })).catch((error: Refusal) => checks.push([error.code, error.status]));
  }
  expect(checks).toEqual([
    ...Array.from({ length: 10 }, () => ["webhook_unverified", 401]),
    ...Array.from({ length: 5 }, () => ["sns_unreachable", 503]),
  ]);
  expect(asked).toHaveLength(10);
});

test.each([
  [topic, "sns.eu-central-1.amazonaws.com"],
  ["arn:aws-cn:sns:cn-north-1:123456789012:bounces", "sns.cn-north-1.amazonaws.com.cn"],
  ["arn:aws-us-gov:sns:us-gov-west-1:123456789012:bounces", "sns.us-gov-west-1.amazonaws.com"],
])("the certificate of %s comes from %s", async (of, host) => {
  const { read, asked } = open(snsCertificates.genuine, of);
  const SigningCertURL = `https://${host}/SimpleNotificationService-1.pem`;
  const { body } = snsCall({}, at, { signed: { TopicArn: of }, replaced: { SigningCertURL } });
  expect(await read(JSON.parse(body))).toBe("{}");
  expect(asked).toEqual([SigningCertURL]);
});
