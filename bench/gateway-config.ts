/** The measured gateway's configuration, on Node and on workerd: FLS01 providers on loopback, and limits that the benchmark's load never reaches. */
import { createHash } from 'node:crypto';
import { stringify } from 'yaml';

const most = 100_000_000;
/** The operator's token. It need not be secret: the gateway listens on loopback, and only during the benchmark. */
export const operatorToken = 'token-of-the-benchmark';

/** Returns the text of providers.config.yaml. `providersUrl` serves provider number n under `/n`. */
export const configFor = (count: number, providersUrl: string): string =>
  stringify({
    mode: 'sandbox',
    network: 'regtest',
    trusted_proxies: ['127.0.0.1'],
    limits: { verify_per_minute: most, quotes_per_minute: most, orders_per_minute: most },
    sessions: { opens_per_minute: most },
    orders: { max_open: most },
    operator: { token_hashes: [createHash('sha256').update(operatorToken).digest('hex')] },
    catalogue: { fresh_s: 3600, stale_s: 7200 },
    routing: { late_grace_ms: 0 },
    providers: Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `p${index}`,
        {
          kind: 'fiat-on-ramp',
          base_url: `${providersUrl}/${index}`,
          opens_per_minute: most,
          concurrency: { in_flight: 256 },
          breaker: { reset_s: 30 },
        },
      ]),
    ),
  });
