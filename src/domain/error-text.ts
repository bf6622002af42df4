/**
 * Returns the part of an error that may be logged. The ORM puts the SQL statement and its parameters, including ids and sealed values, into its error
 * message. So we log the innermost cause of the error instead, with that cause's code (SQLSTATE, errno).
 */
export const errorText = (error: unknown): string => {
  const at = rootOf(error);
  if (!(at instanceof Error)) return 'unknown';
  const code = codeOf(at);
  // A driver may quote the value that it could not read, so the text is cut off before that value.
  const text = /^\s*Failed query\b/.test(at.message) ? 'a query failed' : (at.message.split(/\nparams:|: "/)[0] ?? '');
  return code === undefined || text.includes(code) ? text : `${code} ${text}`;
};

/**
 * Returns the first stack frame of the error's innermost cause, or of the error itself if it has no cause. In the stack, the frames come after the
 * message, which may have several lines.
 */
export const errorPlace = (error: unknown): string | undefined =>
  rootOf(error)
    ?.stack?.split('\n')
    .map((line) => line.trim())
    .find((line) => line.startsWith('at '));

const deepest = 5;

const rootOf = (error: unknown): Error | undefined => {
  let at = error instanceof Error ? error : undefined;
  for (let depth = 0; depth < deepest && at?.cause instanceof Error; depth += 1) at = at.cause;
  return at;
};

const codeOf = (error: Error): string | undefined => ('code' in error && typeof error.code === 'string' ? error.code : undefined);
