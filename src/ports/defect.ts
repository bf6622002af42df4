import { errorText } from '../domain/error-text.ts';
import type { LogFields } from './log-fields.ts';
import type { Log } from './runtime.ts';

/** Logs a mistake of ours: where it showed, and about what. Never a provider's fault, which callProvider counts and logs. */
export const defect = (log: Log, where: string, error: unknown, fields: LogFields = {}): void =>
  log('error', 'defect', { ...fields, where, error: errorText(error) });
