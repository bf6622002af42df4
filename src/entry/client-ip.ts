import { isWithin, parseIp, parseRange, showIp, type IpAddress, type IpRange } from '../domain/ip-address.ts';

/**
 * Finds out who is calling. We believe headers only as far as trusted proxies wrote them: the caller is the first address from the right that is not
 * a trusted proxy. If a hop cannot be read (`unknown`, an obfuscated name, nonsense), the proxy that wrote the hop counts as the caller, because
 * everything to the left came from an unknown caller.
 *
 * A proxy writes X-Forwarded-For or Forwarded, and passes the other one on. If both are present and name different callers, the caller invented one
 * of them, and we believe neither.
 */
export const clientIp = (remote: string | undefined, xForwardedFor: string | undefined, trusted: readonly string[], forwarded?: string): string | undefined => {
  const caller = parseIp(remote ?? '');
  if (!caller) return undefined;
  const ranges = trusted.flatMap((rule) => parseRange(rule) ?? []);
  const told = [xForwardedFor?.split(','), forwarded === undefined ? undefined : forwardedNodes(forwarded)]
    .filter((nodes) => nodes !== undefined)
    .map((nodes) => showIp(walk(caller, nodes, ranges)));
  return told.every((ip) => ip === told[0]) ? (told[0] ?? showIp(caller)) : showIp(caller);
};

const walk = (caller: IpAddress, nodes: readonly string[], trusted: readonly IpRange[]): IpAddress => {
  let at = caller;
  for (const node of nodes.toReversed()) {
    if (!trusted.some((range) => isWithin(at, range))) break;
    const next = readNode(node);
    if (!next) break;
    at = next;
  }
  return at;
};

/** A port may be obfuscated like a name (RFC 7239, section 6.3). */
const port = String.raw`(?::(?:\d{1,5}|_[\w.-]+))?`;
const withPort = new RegExp(`^(?:\\[([^\\]]+)\\]|([\\d.]+))${port}$`);

/** Reads one hop as proxies write it: an address, bare, in brackets or in quotes, with or without a port. */
const readNode = (node: string): IpAddress | undefined => {
  const text = node.trim().replace(/^"(.*)"$/, '$1');
  const [, bracketed, plain] = withPort.exec(text) ?? [];
  return parseIp(bracketed ?? plain ?? text);
};

/**
 * Returns the `for` of each element, left to right (RFC 7239). An element that has none, or several, is an unreadable hop. An unclosed quote could
 * swallow what the proxies wrote after it, so a header that has one counts as a single unreadable hop.
 */
const forwardedNodes = (header: string): string[] =>
  splitOutsideQuotes(header, ',')?.map((element) => {
    const named = (splitOutsideQuotes(element, ';') ?? []).flatMap((pair) => /^for\s*=(.*)$/is.exec(pair.trim())?.[1] ?? []);
    return named.length === 1 ? (named[0] ?? '').replaceAll(/\\(.)/g, '$1') : '';
  }) ?? [''];

/** Splits a string at each `by` that is not in quotes. Returns undefined if a quote is not closed. */
const splitOutsideQuotes = (text: string, by: ',' | ';'): string[] | undefined => {
  const parts: string[] = [];
  let from = 0;
  let inQuotes = false;
  for (let i = 0; i < text.length; i += 1) {
    if (inQuotes && text[i] === '\\') i += 1;
    else if (text[i] === '"') inQuotes = !inQuotes;
    else if (!inQuotes && text[i] === by) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return inQuotes ? undefined : [...parts, text.slice(from)];
};
