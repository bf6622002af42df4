import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { startTicker, type RunningTicker } from '../../src/feeds/ticker.simulator.ts';
import { freePort } from '../setup/local-server.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, until, type TestGateway } from '../support/gateway.ts';
import { root } from './runtimes.ts';

type Panel = { type: string; title: string; targets: { expr: string }[] };
const folder = join(root, 'docs/grafana/dashboards');
const panels = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .flatMap((file) =>
    (JSON.parse(readFileSync(join(folder, file), 'utf8')) as { panels: Panel[] }).panels
      .filter(({ type }) => type !== 'row')
      .map((panel) => ({ file, ...panel })),
  );
/** What Grafana fills in. */
const filled = (expr: string): string => expr.replaceAll('$provider', '.*').replaceAll('$__rate_interval', '1m');

const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;

describe.skipIf(!hasPrometheus)('promtool and Prometheus on three instances', () => {
  const gateways: TestGateway[] = [];
  const data = mkdtempSync(join(tmpdir(), 'ramp-prometheus-'));
  let ticker: RunningTicker;
  let prometheus: ChildProcess;
  let url: string;

  const ask = async (query: string): Promise<{ status: string; error?: string; data: { result: { values: [number, string][] }[] } }> => {
    const end = Date.now() / 1000;
    const search = new URLSearchParams({ query, start: String(end - 30), end: String(end), step: '1' });
    return (await (await fetch(`${url}/api/v1/query_range?${search.toString()}`)).json()) as never;
  };

  beforeAll(async () => {
    const clock = movableClock();
    ticker = await startTicker({ prices: { EUR: 9_180_000 }, now: clock.now });
    const feeds = [
      { name: 'one', url: `${ticker.url}/one/EUR`, bid: '/bid', ask: '/ask', time: '/time' },
      { name: 'two', url: `${ticker.url}/two/EUR`, bid: '/data/bid', ask: '/data/ask', time: '/timestamp' },
    ];
    const config = { routing: { reference: { EUR: { feeds } } } };
    const first = await startTestGateway({ alpine: { simulator: { estimate: true } } }, { clock, config });
    const { database, simulators } = first;
    const blocks = { alpine: { kind: 'fiat-on-ramp', base_url: simulators['alpine']?.url } };
    gateways.push(first);
    for (const _ of [2, 3]) gateways.push(await startTestGateway({}, { clock, config, database, blocks }));

    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const targets = gateways.map((gateway) => new URL(gateway.url).host);
    const file = join(data, 'prometheus.yml');
    writeFileSync(
      file,
      stringify({
        global: { scrape_interval: '250ms', scrape_timeout: '250ms' },
        rule_files: [join(root, 'docs/alerts.yml')],
        scrape_configs: [{ job_name: 'ramp-gateway', static_configs: [{ targets }] }],
      }),
    );
    prometheus = spawn('prometheus', [`--config.file=${file}`, `--storage.tsdb.path=${data}/tsdb`, `--web.listen-address=127.0.0.1:${port}`], {
      stdio: 'ignore',
    });
    await until('Prometheus has scraped all instances', async () => {
      const answer = await ask('count(up{job="ramp-gateway"} == 1)').catch(() => undefined);
      return answer?.data.result.some(({ values }) => values.at(-1)?.[1] === '3') ? true : undefined;
    });

    // A purchase, from the offers to the end, over the second instance.
    const wallet = createWallet(gateways[1]?.url ?? '');
    const { sessionId } = await wallet.open();
    const asked = { session_id: sessionId, amount_fiat: 10_000, currency_id: 1, payment_option_id: 2 };
    const { body } = await wallet.call('/offers', asked);
    const [offer] = body['offers'] as { quote_id: string }[];
    const placed = await wallet.call('/order', { session_id: sessionId, quote_id: offer?.quote_id });
    expect(placed.status).toBe(200);
    const control = simulators['alpine']?.control;
    await control?.pay([...control.orders.keys()].at(-1) ?? '');
    await first.passUntil('it is filled', async () => {
      const [row] = await database.sql<{ stage: string }[]>`select stage from orders`;
      return row?.stage === 'filled' ? true : undefined;
    });
    await until('Prometheus has seen the purchase', async () => {
      const { data: seen } = await ask('sum(ramp_order_filled_sats_total) > 0');
      return (seen.result[0]?.values.length ?? 0) > 2 ? true : undefined;
    });
  });
  afterAll(async () => {
    prometheus.kill();
    await Promise.all(gateways.slice(1).map((gateway) => gateway.close()));
    await gateways[0]?.close();
    await ticker.close();
    rmSync(data, { recursive: true, force: true });
  });

  it.each(panels)('$file: "$title" has data', async ({ targets }) => {
    for (const { expr } of targets) {
      const answer = await ask(filled(expr));
      expect(answer.error).toBeUndefined();
      expect({ expr, hasData: answer.data.result.some(({ values }) => values.length > 0) }).toEqual({ expr, hasData: true });
    }
  });

  it('counts a purchase once over all instances', async () => {
    const last = async (query: string) => (await ask(query)).data.result[0]?.values.at(-1)?.[1];
    expect(await last('sum(ramp_orders_total{outcome="confirmed"})')).toBe('1');
    expect(await last('sum(ramp_order_filled_fiat_total{currency="EUR"})')).toBe('100');
    expect(await last('sum(ramp_offers_won_total{provider="alpine",ramp="buy"})')).toBe('1');
    expect(await last('max(ramp_orders_open{stage="filled"})')).toBe('1');
  });
});
