/**
 * Decides what a process prints about an error that nothing caught. By default Node prints every property of the error. The database's errors have
 * the statement and its parameters (ids and sealed values) as properties. So we print only the text that a log may hold, and where the error was
 * thrown.
 */
import { errorPlace, errorText } from '../domain/error-text.ts';

export const lastWords = (error: unknown): string =>
  [`${error instanceof Error ? error.name : 'error'}: ${errorText(error)}`, errorPlace(error)].filter((part) => part !== undefined).join(' ');

/** Handles uncaught errors. Call it once per process. On such an error, `say` gets one line, and the process exits with code 1, as by default. */
export const sayLastWords = (say: (line: string) => void): void => {
  process.on('uncaughtException', (error) => {
    try {
      say(lastWords(error));
    } finally {
      process.exit(1);
    }
  });
};
