import { expect, test } from "vitest";
import { addressesIn } from "../../../src/outcomes/came-to.ts";

const path = (name: string): string => `bounce+${name}@news.example.com`;
const isReturnPath = (address: string): boolean => /^bounce\+(?!forged)\w+@news\.example\.com$/.test(address);
const report = (header: string[], type: string, body: string[]): string =>
  [
    ...header,
    "Content-Type: multipart/report; boundary=b",
    "",
    "--b",
    "Content-Type: text/plain",
    "",
    `Return-Path: <${path("quoted")}>`,
    "--b",
    `Content-Type: ${type}`,
    "",
    ...body,
    "--b--",
  ].join("\n");

test.each<[string, string, string[]]>([
  ["Delivered-To", `Delivered-To: ${path("a")}`, ["a"]],
  ["the earlier of two servers", `Delivered-To: me@example.com\nDelivered-To: ${path("a")}`, ["a"]],
  ["X-Original-To", `X-Original-To: <${path("A").toUpperCase()}>`, ["a"]],
  ["Envelope-To of Exim", `Envelope-to: me@example.com, ${path("a")}, ${path("b")}`, ["a", "b"]],
  ["Received", `Received: from mx by mail\n\tfor <${path("a")}>; Tue, 24 Nov 2026`, ["a"]],
  ["To, folded", `To: "Bounces, all"\n <${path("a")}>`, ["a"]],
  ["nothing else of the header", `Subject: ${path("a")}\nReturn-Path: <${path("b")}>\nReply-To: ${path("c")}`, []],
  ["nothing of the text", `Subject: x\n\nTo: ${path("a")}`, []],
  [
    "the returned email's Return-Path",
    report(["To: bounce@news.example.com"], "message/rfc822", [`Return-Path: <${path("a")}>`, "", `To: ${path("b")}`]),
    ["a"],
  ],
  ["its header alone", report([], "text/rfc822-headers", [`Return-Path: <${path("a")}>`]), ["a"]],
  ["that of RFC 6533", report([], "message/global-headers", [`Return-Path: <${path("a")}>`]), ["a"]],
  [
    "Postfix's report",
    report([], "message/delivery-status", ["Reporting-MTA: dns; x", `X-Postfix-Sender: rfc822; ${path("a")}`]),
    ["a"],
  ],
  ["a complaint", report([], "message/feedback-report", [`Original-Mail-From: <${path("a")}>`]), ["a"]],
  [
    "the address that it came to, before what it returns",
    report([`To: ${path("a")}`], "message/rfc822", [`Return-Path: <${path("b")}>`]),
    ["a"],
  ],
  ["no forged ones", report([`To: ${path("forged")}`], "message/rfc822", [`Return-Path: <${path("a")}>`]), ["a"]],
])("the return path is in %s", (_name, raw, names) => {
  expect(addressesIn(Buffer.from(raw.replaceAll("\n", "\r\n")), isReturnPath)).toEqual(names.map(path));
});

test("a large header is read in a moment", () => {
  const began = performance.now();
  for (const line of ["To: a\n b\n", "To: <@@,", "\n ", "Received: x@y "]) {
    expect(addressesIn(Buffer.from(line.repeat(1_000_000 / line.length)), isReturnPath)).toEqual([]);
  }
  expect(performance.now() - began).toBeLessThan(3_000);
});
