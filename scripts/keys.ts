/** `npm run keys -- init`: every key that the gateway needs, freshly made, as .env lines; `init --json` for `wrangler secret bulk`. */
import { randomBytes } from 'node:crypto';
import { freshSecrets } from '../src/config/secrets.ts';

const [command, form] = process.argv.slice(2);
if (command !== 'init') {
  process.stdout.write('usage: npm run keys -- init [--json]\n');
  process.exitCode = 1;
} else {
  const fresh = { ...freshSecrets(randomBytes), METRICS_TOKEN: randomBytes(24).toString('base64url') };
  process.stdout.write(
    form === '--json'
      ? `${JSON.stringify(fresh, undefined, 2)}\n`
      : `${Object.entries(fresh)
          .map(([name, value]) => `${name}=${value}`)
          .join('\n')}\n`,
  );
}
