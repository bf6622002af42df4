import { errorText } from '../domain/error-text.ts';
import type { LogFields } from './log-fields.ts';
import type { Log } from './runtime.ts';

/** Logs a bug of ours: where it appeared, and about what. Not a provider's fault, which callProvider counts and logs. */
export const defect = (log: Log, where: string, error: unknown, fields: LogFields = {}): void =>
  log('error', 'defect', { ...fields, where, error: errorText(error) });
