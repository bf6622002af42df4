/** Loads `.env` from the current folder, if there is one. Variables that are already set win. */
import { existsSync } from 'node:fs';

if (existsSync('.env')) process.loadEnvFile('.env');
