const codes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  '58000', // Hyperdrive's own
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '08006',
  '08003',
  '08001',
]);

/** workerd's wording, which has no code. */
const words = /^(?:connection attempt failed|proxy request failed|Network connection lost|This socket has been closed|Stream was cancelled)/;

/** Whether an error means that the database is unreachable, not that our statement was wrong. Drizzle puts the driver's error in `cause`. */
export const isStorageDown = (error: unknown): boolean => {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth += 1) {
    if ('code' in at && typeof at.code === 'string' && codes.has(at.code)) return true;
    if (words.test(at.message)) return true;
  }
  return false;
};
