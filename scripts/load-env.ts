/** `.env` of the folder one stands in, if there is one; what is set already wins. */
import { existsSync } from 'node:fs';

if (existsSync('.env')) process.loadEnvFile('.env');
