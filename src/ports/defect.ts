import { errorText } from '../domain/error-text.ts';
import type { LogFields } from './log-fields.ts';
import type { Log } from './runtime.ts';

/** Logs a bug of ours: where in the code it appeared, and what the work was about. Faults of providers are logged by callProvider, not here. */
export const defect = (log: Log, where: string, error: unknown, fields: LogFields = {}): void =>
  log('error', 'defect', { ...fields, where, error: errorText(error) });
