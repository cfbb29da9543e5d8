import { quotedPrintable } from "../../../src/mail/encode.ts";

/** Texts that try to leave their place. Each still shows something when everything unwanted is taken out. */
export const hostileTexts: [what: string, text: string][] = [
  ["closes MJML", 'x</mj-text></mj-column><mj-raw><img src="https://evil.example/x.png"></mj-raw>'],
  ["Liquid output", "x {{ reader.address }} {{ 7 | times: 6 }}"],
  ["Liquid tags", "x {% assign a = 1 %}{% include 'digest.txt' %}{% raw %}"],
  ["script", "x<script>alert(1)</script>"],
  ["attribute", "x\" onclick='alert(1)' style=\"position:fixed"],
  ["comment and conditional comment", "x --><!--[if mso]><b>y<![endif]--> <!--"],
  ["CDATA and entities", "x]]> &lt;script&gt; &#60;b&#62; &amp;amp;"],
  ["bidi overrides", "x \u202egnp.exe\u202c \u2066y\u2069 \u200fz"],
  ["header injection", "x\r\nBcc: victim@mail.example\r\n\r\n<h1>body</h1>"],
  ["folded header injection", "x\n\tContinued: yes\u2028y\u0085z\vw"],
  ["encoded-word", "x =?UTF-8?B?QmNjOiB2aWN0aW0=?= =?utf-8?q?=0D=0AX:_y?="],
  ["sentinel-like", "x zq0123456789abcdef01234567n3qz article.0.title more.end {articles} {n} $& $1 $`"],
  ["quoted-printable", `x =3D =\r\n ${quotedPrintable("=")}`],
  ["boundary", "x\r\n--=_dayletter_2013-12-05_1--\r\n"],
  ["SMTP end of data", "x\r\n.\r\nQUIT\r\n"],
  ["lone surrogates", "x \ud800 \udfff y\ud83d"],
  ["controls", "x\u0000y\u0007\u001b[31mz\u007f\u009f\ufeff"],
  ["500 characters without a space", "W".repeat(500)],
  ["500 characters of four bytes", "\u{1d54f}".repeat(250)],
  ["stacked marks", `Z${"\u0300".repeat(400)}`],
  ["prototype names", "x __proto__ constructor toString"],
];

/** Links that must not be shown. */
export const hostileUrls: [what: string, url: string][] = [
  ["javascript:", "javascript:alert(1)"],
  ["javascript: in mixed case", "JaVaScRiPt:alert(1)"],
  ["javascript: with a tab", "java\tscript:alert(1)"],
  ["javascript: after a space", " javascript:alert(1)"],
  ["data:", "data:text/html,<script>alert(1)</script>"],
  ["vbscript:", "vbscript:x"],
  ["file:", "file:///etc/passwd"],
  ["no scheme", "//evil.example/x"],
  ["a password", "https://user:secret@news.example/"],
  ["3000 characters", `https://news.example/${"a".repeat(3000)}`],
  ["no link at all", "not a url"],
  ["nothing", ""],
];
