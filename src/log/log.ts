import pino from 'pino';
import { logFields } from '../ports/log-fields.ts';
import type { Log } from '../ports/runtime.ts';

/** The longest string in a field; longer ones are truncated. */
const longest = 300;
/** pino's browser build, which Workers use, gives the level as a number. */
const labels: Record<number, string> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' };

export type LogOptions = {
  level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  instance: string;
  /** Writes one finished line. */ write: (line: string) => void;
  now: () => number;
  /** The kinds of providers. Each may have its own fields. */
  modules: ReadonlyMap<string, { logFields?: readonly string[] }>;
};

/** Makes the log. It writes one JSON line per event, with the same members on both runtimes. */
export const createLog = ({ level, instance, write, now, modules }: LogOptions): Log => {
  const allowed = new Set<string>([...logFields, ...[...modules.values()].flatMap((module) => module.logFields ?? [])]);
  const order = { debug: 20, info: 30, warn: 40, error: 50, silent: 100 } as const;
  const least = order[level];
  const logger = pino(
    {
      level,
      base: { instance },
      timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      browser: {
        asObject: true,
        write: (entry) =>
          write(JSON.stringify({ ...entry, level: labels[(entry as { level: number }).level] ?? 'info', time: new Date(now()).toISOString(), instance })),
      },
    },
    { write: (line: string) => write(line.trimEnd()) },
  );
  return (at, event, fields) => {
    if (order[at] < least) return;
    logger[at]({ event, ...only(allowed, fields) });
  };
};

/** Keeps only listed fields with plain values. The types forbid others, but a caller may have cast, and a value may be nested. */
const only = (allowed: ReadonlySet<string>, fields: Record<string, unknown> = {}): Record<string, string | number | boolean> => {
  const kept: Record<string, string | number | boolean> = {};
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined || !allowed.has(name)) continue;
    if (typeof value === 'string') kept[name] = value.length > longest ? `${value.slice(0, longest)}…` : value;
    else if (typeof value === 'number' || typeof value === 'boolean') kept[name] = value;
  }
  return kept;
};
