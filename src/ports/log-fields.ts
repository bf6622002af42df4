/**
 * Everything that a log line may hold. Log calls have this list as their type, and the log drops whatever is not on it, so no new code path can
 * leak a secret. Fields of only one kind of provider are in its module's `logFields`.
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
