import pino from 'pino';
import type { Log, LogFields } from '../ports/runtime.ts';

/**
 * Everything that may stand in a log line. An allow list: what is not on it is dropped, whatever its name, so a secret cannot get in by a
 * new path. Texts are cut; error texts are our own words or a driver's, never a provider's body.
 */
const allowed = new Set([
  'request_id',
  'method',
  'route',
  'status',
  'ms',
  'app',
  'code',
  'provider',
  'verb',
  'operation',
  'outcome',
  'order',
  'intent',
  'account',
  'connection',
  'delivery',
  'attempt',
  'part',
  'kind',
  'state',
  'note',
  'where',
  'error',
  'error_name',
  'error_at',
  'setting',
  'reason',
  'folder',
  'address',
  'pid',
  'mode',
  'network',
  'database',
  'providers',
  'version',
  'signal',
  'count',
  'purpose',
  'target',
]);
const longest = 300;
/** pino's browser build, which Workers get, tells the level as a number. */
const labels: Record<number, string> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' };

export type LogOptions = {
  level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  instance: string;
  /** Takes one finished line. */ write: (line: string) => void;
  now: () => number;
};

/** One JSON line per event, the same on both runtimes. */
export const createLog = ({ level, instance, write, now }: LogOptions): Log => {
  const order = { debug: 20, info: 30, warn: 40, error: 50, silent: 100 } as const;
  const least = order[level];
  const logger = pino(
    {
      level,
      base: { instance },
      timestamp: () => `,"time":${now()}`,
      formatters: { level: (label) => ({ level: label }) },
      browser: {
        asObject: true,
        write: (entry) => write(JSON.stringify({ ...entry, level: labels[(entry as { level: number }).level] ?? 'info', time: now(), instance })),
      },
    },
    { write: (line: string) => write(line.trimEnd()) },
  );
  return (at, event, fields) => {
    if (order[at] < least) return;
    logger[at]({ event, ...only(fields) });
  };
};

const only = (fields: LogFields | undefined): Record<string, string | number | boolean> => {
  const kept: Record<string, string | number | boolean> = {};
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined || !allowed.has(name)) continue;
    if (typeof value === 'string') kept[name] = value.length > longest ? `${value.slice(0, longest)}…` : value;
    else if (typeof value === 'number' || typeof value === 'boolean') kept[name] = value;
  }
  return kept;
};
