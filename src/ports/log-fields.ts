/**
 * All fields that a log line may have. Log calls have this list as their type, and the log drops a field that is not on it, so new code cannot log a
 * secret in a field of its own. Fields that only one kind of provider needs are in its module's `logFields`.
 */
export const logFields = [
  'request_id',
  'method',
  'route',
  'status',
  'ms',
  'app',
  'code',
  'provider',
  'verb',
  'outcome',
  'order',
  'upstream_order',
  'intent',
  'delivery',
  'attempt',
  'part',
  'kind',
  'state',
  'stage',
  'note',
  'where',
  'error',
  'error_name',
  'error_at',
  'reason',
  'folder',
  'address',
  'pid',
  'mode',
  'network',
  'database',
  'providers',
  'signal',
  'count',
  'actor',
  'action',
  'subject',
] as const;

type LogField = (typeof logFields)[number];
export type LogFields = { [field in LogField]?: string | number | boolean | undefined };
