/**
 * The fields that log calls may use. The list is their type, and the log drops other fields, so new code cannot log a secret in a field of its own.
 * Further fields, which only one kind of provider needs, are in its module's `logFields`.
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
