import type { AdaptiveSettings } from '../overload-settings.ts';
import { isOver } from '../window.ts';

/**
 * How many requests a backend may have under way, found out from how long its answers take. As long as they take no longer
 * than when it has little to do, there may be more of them; when they take longer they wait for each other, and there may
 * be fewer, in proportion (a gradient). What it takes with little to do is looked at anew now and then, with half as many
 * requests for a moment, because a backend may have become slower or faster for reasons of its own.
 */
export interface AdaptiveState {
  /** With a fraction; what counts is the whole number below it. */
  readonly limit: number;
  /** What an answer takes with little to do; 0 = not known yet. */
  readonly calmMs: number;
  /** When that was last looked at. */
  readonly calmAtMs: number;
  /** Until then fewer requests are let through to look at it. */
  readonly lookUntilMs: number;
  /** The least that was seen while looking. */
  readonly lookedMs: number;
}

/** What was seen of a backend since the last step. */
export interface AdaptiveSample {
  readonly nowMs: number;
  /** What the answers took on average until their heads came. */
  readonly meanMs: number;
  /** The most requests that were under way. */
  readonly inFlightMax: number;
}

/** A step goes by so many answers, or by fewer that took long to come. */
const ANSWERS_MIN = 10;
const GATHER_MAX_MS = 1_000;
const START = 20;
/** An answer that takes this much longer than with little to do is not taken for one that had to wait. */
const TOLERANCE = 1.1;
/** A step changes the limit by no more than to half of it. */
const GRADIENT_MIN = 0.5;
const SMOOTHING = 0.2;
/** How often it is looked at what an answer takes with little to do, for how long, and with which part of the requests. */
const LOOK_EVERY_MS = 30_000;
const LOOK_MS = 500;
const LOOK_SHARE = 0.5;

/** Whether answers that were gathered for so long are enough for a step. */
export function isEnough(answers: number, gatheredMs: number): boolean {
  return answers >= ANSWERS_MIN || (answers > 0 && gatheredMs >= GATHER_MAX_MS);
}

export function newAdaptive({ min, max }: AdaptiveSettings, nowMs: number): AdaptiveState {
  const limit = Math.min(max, Math.max(min, START));
  return { limit, calmMs: 0, calmAtMs: nowMs, lookUntilMs: 0, lookedMs: Infinity };
}

/** How many requests may be under way now. */
export function limitNow(
  { limit, lookUntilMs }: AdaptiveState,
  { min }: AdaptiveSettings,
  nowMs: number,
): number {
  return Math.max(min, Math.floor(isLooking(lookUntilMs, nowMs) ? limit * LOOK_SHARE : limit));
}

/** One step, by a sample that is enough. */
export function nextAdaptive(
  state: AdaptiveState,
  sample: AdaptiveSample,
  settings: AdaptiveSettings,
): AdaptiveState {
  const { nowMs, meanMs } = sample;
  if (state.lookUntilMs > 0) return look(state, sample, settings);
  const calmMs = state.calmMs === 0 ? meanMs : Math.min(state.calmMs, meanMs);
  if (isOver(state.calmAtMs, LOOK_EVERY_MS, nowMs))
    return { ...state, calmMs, lookUntilMs: nowMs + LOOK_MS, lookedMs: Infinity };
  return { ...state, calmMs, limit: follow(state.limit, calmMs, sample, settings) };
}

/** While it looks, the limit stays; the answers to what was under way before do not count. */
function look(
  state: AdaptiveState,
  { nowMs, meanMs }: AdaptiveSample,
  settings: AdaptiveSettings,
): AdaptiveState {
  const lookedMs = Math.min(state.lookedMs, meanMs);
  if (isLooking(state.lookUntilMs, nowMs)) return { ...state, lookedMs };
  const { limit } = state;
  return {
    limit: Math.min(settings.max, Math.max(settings.min, limit)),
    calmMs: lookedMs,
    calmAtMs: nowMs,
    lookUntilMs: 0,
    lookedMs: Infinity,
  };
}

/** Not when it would be for longer than it ever is, because the clock was set back. */
function isLooking(lookUntilMs: number, nowMs: number): boolean {
  return !isOver(lookUntilMs - LOOK_MS, LOOK_MS, nowMs);
}

function follow(
  limit: number,
  calmMs: number,
  { meanMs, inFlightMax }: AdaptiveSample,
  { min, max }: AdaptiveSettings,
): number {
  const gradient = Math.max(GRADIENT_MIN, Math.min(1, (TOLERANCE * calmMs) / meanMs));
  const wanted = limit * gradient + Math.sqrt(limit);
  // Nobody has asked for more, so nobody knows whether there could be more.
  if (wanted > limit && inFlightMax < limit / 2) return limit;
  return Math.min(max, Math.max(min, limit + SMOOTHING * (wanted - limit)));
}
