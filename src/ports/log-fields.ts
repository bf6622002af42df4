/**
 * Everything that may stand in a log line. The type of a log call is this list, and the log drops whatever is not on it, so a secret cannot
 * get in by a new path. What only one kind of provider has to say stands in the `logFields` of its own module.
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
