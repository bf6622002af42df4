/**
 * `npm run build -w packages/checkout`: builds dist/: the element in one file, its types, and the notices of the packages bundled into it. Fails when
 * the file has grown beyond its limit.
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { noticesOf } from '../../client/scripts/notices.ts';
import { bundleForBrowsers } from './bundle.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const mostKiB = 60;

const { text, modules } = await bundleForBrowsers('packages/checkout/src/ramp-buy.ts', '/*! See THIRD-PARTY-NOTICES.txt */');
const size = gzipSync(text, { level: 9 }).length / 1024;
process.stdout.write(`ramp-buy.js ${size.toFixed(2)} KiB gzipped, of at most ${mostKiB}\n`);
if (size > mostKiB) throw new Error(`ramp-buy.js is larger than ${mostKiB} KiB gzipped`);
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
writeFileSync(join(dist, 'ramp-buy.js'), text);
copyFileSync(join(root, 'src/public.ts'), join(dist, 'ramp-buy.d.ts'));
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), noticesOf([{ file: 'ramp-buy.js', modules }]));
