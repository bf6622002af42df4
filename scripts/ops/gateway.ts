/** Gives a command a gateway that is made of the same parts as the server's, but has no listener and no background loops. */
import { randomBytes, randomUUID } from 'node:crypto';
import { readSecrets } from '../../src/config/secrets.ts';
import { composeInstance } from '../../src/entry/compose.ts';
import { createUndiciHttp } from '../../src/entry/http-undici.ts';
import { checkSealKey } from '../../src/entry/seal-key.ts';
import type { Gateway } from '../../src/ports/gateway.ts';
import { createLog } from '../../src/log/log.ts';
import { noMetrics } from '../../src/entry/gauges.ts';
import { providerModules } from '../../src/providers/registry.gen.ts';
import { readConfig, Refused, withDatabase, type Ops } from './tools.ts';

export const withGateway = async <T>(work: (gateway: Gateway, ops: Ops) => Promise<T>): Promise<T> => {
  const { config } = readConfig();
  const read = readSecrets(process.env, config);
  if (!read.ok) throw new Refused(read.mistakes.join('\n'));
  const upstream = createUndiciHttp();
  const background: Promise<unknown>[] = [];
  try {
    return await withDatabase(async (ops) => {
      const lost = await checkSealKey(ops.sql, read.secrets.seal);
      if (lost !== undefined && process.env['SEAL_KEY_LOST'] !== '1') throw new Refused(lost);
      const composed = composeInstance({
        config,
        secrets: read.secrets,
        modules: providerModules,
        http: upstream.http,
        // A command sends no webhooks: it writes rows, and the running instances send them.
        sender: async () => await Promise.resolve({ outcome: 'blocked', statusClass: 'command' }),
        log: createLog({
          level: 'warn',
          instance: 'command',
          write: (line) => process.stderr.write(`${line}\n`),
          now: () => Date.now(),
          modules: providerModules,
        }),
        metrics: noMetrics,
        now: () => Date.now(),
        random: () => Math.random(),
        uuid: () => randomUUID(),
        randomSecret: (bytes) => randomBytes(bytes).toString('base64url'),
        sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
        instance: `command-${process.pid}`,
        outlivesRequest: true,
      });
      const gateway = composed.onDatabase(ops.sql, {
        grouped: false,
        migrated: async () => await Promise.resolve(true),
        background: (running) => void background.push(running.catch(() => undefined)),
      });
      const result = await work(gateway, ops);
      await Promise.all(background);
      return result;
    });
  } finally {
    await upstream.close();
  }
};
