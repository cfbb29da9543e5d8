type Rgb = [number, number, number];

/**
 * The colour, made darker or lighter until it has a contrast of at least 4.5 on the background (WCAG 2.2, 1.4.3). Both
 * are `#rrggbb`; an invalid colour gives black or white.
 */
export function readableOn(colour: string, background: string): string {
  const ground = parse(background);
  const target: Rgb = luminance(ground) > 0.18 ? [0, 0, 0] : [255, 255, 255];
  const wanted = /^#[0-9a-f]{6}$/i.test(colour) ? parse(colour) : target;
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = wanted.map((part, i) => Math.round(part + ((target[i] ?? 0) - part) * share)) as Rgb;
    if (contrast(mixed, ground) >= 4.5) return format(mixed);
  }
  return format(target);
}

/** WCAG contrast ratio of two `#rrggbb` colours, 1 to 21. */
export function contrastOf(one: string, other: string): number {
  return contrast(parse(one), parse(other));
}

function contrast(one: Rgb, other: Rgb): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function parse(colour: string): Rgb {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)) as Rgb;
}

function format(rgb: Rgb): string {
  return `#${rgb.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
