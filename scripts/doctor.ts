/** `npm run doctor -- --url https://…`: checks a deployment from outside, one line per check. Exit code 1 if one fails. */
import './load-env.ts';
import { parseArgs } from 'node:util';
import { called } from './ops/called.ts';
import { askAt, examine } from './doctor/checks.ts';

/** Returns the value of a variable. An empty value counts as absent. */
const given = (name: string): string | undefined => (process.env[name] === '' ? undefined : process.env[name]);
const usual = given('PUBLIC_URL') ?? `http://127.0.0.1:${given('PORT') ?? '8787'}`;
const { values, positionals } = parseArgs({ strict: false, options: { url: { type: 'string', default: usual } } });
const isPlain = positionals.length === 0 && Object.keys(values).every((name) => name === 'url');
const { url } = values;
if (isPlain && typeof url === 'string' && URL.canParse(url)) {
  const findings = await examine(askAt(url.replace(/\/$/, '')), url);
  const width = Math.max(...findings.map((one) => one.name.length));
  for (const { name, good, says } of findings) process.stdout.write(`${good ? 'ok  ' : 'FAIL'} ${name.padEnd(width)}  ${says}\n`);
  if (findings.some((one) => !one.good)) process.exitCode = 1;
} else {
  process.stdout.write(`usage: ${called('doctor', '--url https://ramp.wallet.example')}\n`);
  process.exitCode = 1;
}
