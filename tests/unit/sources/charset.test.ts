import { expect, test } from "vitest";
import { decodeFeed } from "../../../src/sources/charset.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const utf8 = (text: string) => new TextEncoder().encode(text);
const latin1 = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const declared = (label: string, ...rest: number[]) =>
  Uint8Array.from([...utf8(`<?xml version='1.0' encoding='${label}'?>`), ...rest]);
const body = (text: string) => text.replace(/^<\?xml[^>]*\?>/, "");

test.each([
  ["UTF-8 without a claim", utf8("é한"), null, "é한"],
  ["a byte order mark before all", bytes(0xef, 0xbb, 0xbf, 0xc3, 0xa9), "text/xml; charset=iso-8859-1", "é"],
  ["UTF-16LE by its mark", bytes(0xff, 0xfe, 0xe9, 0), null, "é"],
  ["UTF-16BE by its mark", bytes(0xfe, 0xff, 0, 0xe9), "text/xml; charset=utf-8", "é"],
  ["UTF-16LE without mark", bytes(0x3c, 0, 0xe9, 0), null, "<é"],
  ["UTF-16BE without mark", bytes(0, 0x3c, 0, 0xe9), null, "<é"],
  ["the header before the declaration", declared("utf-8", 0xe9), 'text/xml; Charset="ISO-8859-1"', "é"],
  ["the declaration without a header", declared("EUC-KR", 0xc7, 0xd1), "application/xml", "한"],
  ["cp949 by that name", declared("cp949", 0x8c, 0x63, 0xb0, 0xa1), null, "똠가"],
  ["Shift_JIS", bytes(0x93, 0xfa, 0x87, 0x40), "text/xml;charset=shift_jis", "日①"],
  ["GB18030", bytes(0xd6, 0xd0, 0x95, 0x32, 0x82, 0x36), "text/xml; charset=gb2312", "中𠀀"],
  ["windows-1252 under Latin-1's name", bytes(0x80, 0x93, 0xe9), "text/xml; charset=iso-8859-1", "€“é"],
  ["ISO-8859-2", bytes(0xb9), "text/xml; charset=iso-8859-2", "š"],
  ["ISO-8859-15", bytes(0xa4), "text/xml; charset=iso-8859-15", "€"],
  ["ISO-8859-16", bytes(0xaa, 0xfe), "text/xml; charset=iso-8859-16", "Șț"],
  ["windows-1251", bytes(0xcf), "text/xml; charset=windows-1251", "П"],
  ["an unknown label falls to the next", declared("windows-1251", 0xcf), "text/xml; charset=klingon", "П"],
  ["a header that cannot be right falls to the next", declared("euc-kr", 0xc7, 0xd1), "text/xml; charset=utf-8", "한"],
  ["UTF-16 said of 8-bit text", declared("utf-16", 0xc3, 0xa9), null, "é"],
  ["no claim and no UTF-8", latin1("caf\u00e9"), null, "café"],
  ["one bad byte spoils one character", bytes(0xc3, 0xa9, 0xff, 0x61), "text/xml; charset=utf-8", "é\ufffda"],
  ["UTF-8 under a single-byte label", utf8("한국 “é”"), "text/xml; charset=iso-8859-1", "한국 “é”"],
  ["UTF-8 under windows-1252 in the declaration", declared("windows-1252", 0xed, 0x95, 0x9c), null, "한"],
  ["UTF-8 under US-ASCII", utf8("é"), "text/xml; charset=us-ascii", "é"],
  [
    "mostly UTF-8 under a single-byte label",
    bytes(...utf8("한국 통신사".repeat(5)), 0xed),
    "text/xml; charset=latin1",
    `${"한국 통신사".repeat(5)}\ufffd`,
  ],
  [
    "mostly UTF-8 without a claim",
    bytes(...utf8("한국 통신사".repeat(5)), 0xed, 0x3c),
    null,
    `${"한국 통신사".repeat(5)}\ufffd<`,
  ],
  ["EUC-KR under HTTP's Latin-1 default", declared("euc-kr", 0xc7, 0xd1), "text/xml; charset=ISO-8859-1", "한"],
  ["EUC-KR under windows-1252", declared("ks_c_5601-1987", 0xc7, 0xd1), "text/xml; charset=windows-1252", "한"],
  ["Shift_JIS under HTTP's Latin-1 default", declared("Shift_JIS", 0x93, 0xfa), "text/xml; charset=latin1", "日"],
  [
    "EUC-KR in a meta element",
    bytes(...latin1('<meta http-equiv="Content-Type" content="text/html; charset=euc-kr">'), 0xc7, 0xd1),
    "text/html; charset=ISO-8859-1",
    '<meta http-equiv="Content-Type" content="text/html; charset=euc-kr">한',
  ],
  ["nothing", bytes(), null, ""],
] as const)("%s", (_what, input, contentType, text) => {
  expect(body(decodeFeed(input, contentType))).toBe(text);
});
