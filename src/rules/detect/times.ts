/**
 * `times`: windows of days and hours in which an operator can be true. Days count from 1 (Sunday); a time is a number such as 1730. Both ends
 * belong to the window. A window that ends before it starts continues over the end of the week or day.
 */
import { isObject } from '../view.ts';
import type { Spec } from './spec.ts';

type Local = { day: number; time: number };
type Window = { days: [number, number]; hours: [number, number]; local: (nowMs: number) => Local };

const MINUTE_MS = 60_000;
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** Undefined: at all times. */
export function compileTimes(spec: Spec): ((nowMs: number) => boolean) | undefined {
  const value = spec.get('times');
  if (value === undefined || value === null) return undefined;
  const windows = spec.list('times').map((window, index) => readWindow(spec, window, `times/${index}`));
  return (nowMs) => windows.some((window) => contains(window, nowMs));
}

function readWindow(spec: Spec, value: unknown, at: string): Window {
  if (!isObject(value)) throw spec.fault(at, 'A window must be an object.');
  const whole = (name: string, min: number, max: number, fallback: number): number => {
    const given = value[name] ?? fallback;
    if (typeof given === 'number' && Number.isInteger(given) && given >= min && given <= max) return given;
    throw spec.fault(`${at}/${name}`, `\`${name}\` must be a whole number from ${min} to ${max}.`);
  };
  return {
    days: [whole('day_of_week_start', 1, 7, 1), whole('day_of_week_end', 1, 7, 7)],
    hours: [whole('time_of_day_start', 0, 2359, 0), whole('time_of_day_end', 0, 2359, 2359)],
    local: localTime(value.tz ?? 'UTC', () => spec.fault(`${at}/tz`, '`tz` must be the name of a time zone.')),
  };
}

function localTime(tz: unknown, fault: () => Error): (nowMs: number) => Local {
  if (typeof tz !== 'string') throw fault();
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: tz,
      weekday: 'short',
      hour: 'numeric',
      minute: 'numeric',
      hourCycle: 'h23',
    });
  } catch {
    throw fault();
  }
  let known: { minute: number; local: Local } | undefined;
  return (nowMs) => {
    const minute = Math.floor(nowMs / MINUTE_MS);
    if (known?.minute !== minute) known = { minute, local: read(format, nowMs) };
    return known.local;
  };
}

function read(format: Intl.DateTimeFormat, nowMs: number): Local {
  const parts = new Map(format.formatToParts(nowMs).map(({ type, value }) => [type, value]));
  return {
    day: DAYS.indexOf(parts.get('weekday') ?? '') + 1,
    time: Number(parts.get('hour')) * 100 + Number(parts.get('minute')),
  };
}

function contains({ days, hours, local }: Window, nowMs: number): boolean {
  const { day, time } = local(nowMs);
  return between(days, day) && between(hours, time);
}

const between = ([from, to]: [number, number], value: number): boolean =>
  from <= to ? value >= from && value <= to : value >= from || value <= to;
