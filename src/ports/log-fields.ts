/**
 * The fields that log calls may use. Calls with other fields do not compile (LogFields), and the log drops such fields. So new code cannot log a
 * secret under a new name. A field that only one kind of provider needs is listed in the `logFields` of that kind's module.
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
