import { errorText } from '../domain/error-text.ts';
import type { LogFields } from './log-fields.ts';
import type { Log } from './runtime.ts';

/**
 * Logs a bug of ours: in which part of the code it appeared, and what the work was about. A provider's fault is not logged here, but by callProvider.
 */
export const defect = (log: Log, where: string, error: unknown, fields: LogFields = {}): void =>
  log('error', 'defect', { ...fields, where, error: errorText(error) });
