import { expect, test } from "vitest";
import { writeMetrics, type Metric } from "../../../src/alerts/metrics.ts";

test("figures in Prometheus' text format", () => {
  const metrics: Metric[] = [
    { name: "a_total", help: "A\nb \\ c", type: "counter", samples: [{ value: 3 }] },
    { name: "none", help: "Left out", type: "gauge", samples: [] },
    {
      name: "b",
      help: "B",
      type: "gauge",
      samples: [
        { labels: { tag: 'lg "u+"\\\n', state: "ok" }, value: 0.5 },
        { labels: {}, value: Infinity },
        { value: NaN },
      ],
    },
  ];
  expect(writeMetrics(metrics)).toBe(
    [
      "# HELP a_total A\\nb \\\\ c",
      "# TYPE a_total counter",
      "a_total 3",
      "# HELP b B",
      "# TYPE b gauge",
      'b{tag="lg \\"u+\\"\\\\\\n",state="ok"} 0.5',
      "b +Inf",
      "b NaN",
      "",
    ].join("\n"),
  );
});
