import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createFlights, type Flights } from "../../../src/providers/flights.ts";

const share = 40;
const open = { width: Infinity, workers: 1 };

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"], now: 0 }));
afterEach(() => void vi.useRealTimers());

let ids = 0;
function send(flights: Flights, unit: string): { id: number; unit: string } {
  const flight = { id: (ids += 1), unit };
  flights.begin(flight);
  flights.start(flight.id);
  return flight;
}
function answer(flights: Flights, unit: string, ms: number): void {
  const { id } = send(flights, unit);
  vi.advanceTimersByTime(ms);
  flights.end(id);
  flights.answered(unit, { ms, accepted: true });
}

test("each message takes one of its receiver's rooms until it ends, and is counted once", () => {
  const flights = createFlights(() => share);
  const first = flights.firstRoom();
  const one = send(flights, "google");
  flights.begin(one);
  send(flights, "google");
  expect([flights.room("google", open), flights.room("gmx", open)]).toEqual([first - 2, first]);
  flights.end(one.id);
  flights.end(one.id);
  expect(flights.room("google", open)).toBe(first - 1);
  expect(flights.room("google", { width: 3, workers: 1 })).toBe(2);
});

test("the time of a message counts from when it was handed over", () => {
  const flights = createFlights(() => share);
  flights.begin({ id: 0, unit: "google" });
  vi.advanceTimersByTime(5_000);
  expect(flights.isPrompt({ id: 0, unit: "google" })).toBe(true);
  flights.start(0);
  vi.advanceTimersByTime(1_000);
  expect(flights.isPrompt({ id: 0, unit: "google" })).toBe(false);
  expect(flights.end(0)).toBe(5_000);
});

test("a receiver is slow by its oldest message, beside others that answer fast, until that ends", () => {
  const flights = createFlights(() => share);
  const oldest = send(flights, "slow.example");
  vi.advanceTimersByTime(10_000);
  const latest = send(flights, "slow.example");
  expect(flights.isPrompt(latest)).toBe(true);
  answer(flights, "google", 10);
  expect(flights.isPrompt(latest)).toBe(false);
  expect(flights.isPrompt(send(flights, "google"))).toBe(true);
  flights.end(oldest.id);
  expect(flights.isPrompt(latest)).toBe(true);
});
