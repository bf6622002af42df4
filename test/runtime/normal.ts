/** A response without ids and times: the rest must be the same on every runtime. */
export type Normal = { status: number; headers: Record<string, string>; body: unknown };

const headersOfInterest = [
  'content-type',
  'cache-control',
  'allow',
  'x-ramp-mode',
  'vary',
  'access-control-allow-origin',
  'content-security-policy',
  'x-content-type-options',
];
/** Headers whose values are ids or times, so that only their presence is compared. */
const headersByPresence = ['x-request-id', 'retry-after', 'etag'];

const secretKeys = new Set([
  'session_id',
  'token',
  'recovery_secret',
  'lnurlw',
  'x',
  'whpk',
  'instance',
  'epc_qr',
  'payment_url',
  'tie_key',
  'tie_seed',
  'tieSeed',
  'tieKey',
  'salt',
  // Each runtime rereads the record's sums at its own moment, so their hash differs.
  'record_snapshot',
  'recordSnapshot',
  'kid',
]);
const durations = new Set(['latency_ms', 'waited_ms', 'retry_after_ms', 'latencyMs', 'waitedMs', 'made_on', 'decidedOn', 'observedOn', 'expiresOn']);

const text = (value: string): string =>
  value
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/\breq_[\w-]+/g, '<request>')
    .replaceAll(/\b(ALP|BOR|COB|DUN|EIG)-[0-9A-F]{5}\b/g, '$1-<reference>')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:<port>');

/** Sorts the answers in a detail such as "… were asked: 1 starts at 10.00 EUR, 1 starts at 10.09 EUR.", which lists them as they arrived. */
const sorted = (detail: string): string => detail.replace(/(?<=: ).*(?=\.$)/, (answers) => answers.split(', ').toSorted().join(', '));

/** Returns the content of a receipt, because its signature differs each time. */
const receipt = (jws: string): unknown => {
  const [header, payload] = jws
    .split('.')
    .slice(0, 2)
    .map((part): unknown => JSON.parse(Buffer.from(part, 'base64url').toString()));
  return { header: normalBody(header), payload: normalBody(payload) };
};

export const normalBody = (value: unknown, key = ''): unknown => {
  if (durations.has(key)) return '<ms>';
  // workerd answers a call to an unreachable host with a 5xx of its own, Node with an error. So the reasons differ.
  if (key === 'last_fault') return '<fault>';
  // The examples of the OpenAPI document show only the beginning of a receipt.
  if (typeof value === 'string' && key === 'receipt' && !value.endsWith('…')) return receipt(value);
  if (typeof value === 'string') return secretKeys.has(key) ? `<${key}>` : key === 'detail' ? sorted(text(value)) : text(value);
  // These lists have the sequence in which the providers answered.
  if (Array.isArray(value) && (key === 'refused' || key === 'failed'))
    return value
      .map((item) => JSON.stringify(normalBody(item)))
      .filter(isThere)
      .toSorted();
  if (Array.isArray(value)) return value.map((item) => normalBody(item));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [text(name), key === 'tokens' ? `<token>` : normalBody(item, name)]));
  return value;
};

export const normalHeaders = (headers: Headers): Record<string, string> =>
  Object.fromEntries([
    ...headersOfInterest.flatMap((name) => (headers.has(name) ? [[name, headers.get(name) ?? '']] : [])),
    ...headersByPresence.flatMap((name) => (headers.has(name) ? [[name, '<there>']] : [])),
  ]);

/** DFX is asked, too, but nothing listens at its address, which each runtime reports in its own words. */
const isThere = (failed: string): boolean => !/"(?:id|providerId)":"dfx"/.test(failed);
