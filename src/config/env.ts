import * as z from 'zod';
import { readDatabaseUrl } from './database-url.ts';
import { publicUrl } from './public-url.ts';

const whole = (least: number, most: number) => {
  const says = `must be a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d+$/, says)
    .transform(Number)
    .refine((n) => n >= least && n <= most, says);
};

const schema = z.object({
  PORT: whole(0, 65_535).default(8787),
  HOST: z.string().min(1).default('127.0.0.1'),
  DATABASE_URL: z
    .string()
    .superRefine((text, context) => {
      const read = readDatabaseUrl(text);
      if (!read.ok) context.addIssue({ code: 'custom', message: read.mistake });
    })
    .optional(),
  DATABASE_POOL: whole(1, 200).default(10),
  DATA_DIR: z.string().min(1).default('.data'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent'], 'must be debug, info, warn, error or silent').default('info'),
  LOG_FORMAT: z.enum(['json', 'pretty'], 'must be json or pretty').default('json'),
  CONFIG_FILE: z.string().min(1).default('providers.config.yaml'),
  PUBLIC_URL: publicUrl.optional(),
  INSTANCE: z
    .string()
    .regex(/^[\w.-]{1,32}$/, 'must have 1 to 32 letters, digits or . _ -')
    .optional(),
});
export type Env = z.output<typeof schema>;

/**
 * Reads the settings of the process from the environment. Keys and tokens are read in secrets.ts. Spaces and line breaks around a value are dropped;
 * an empty value counts as absent. No message shows a value.
 */
export const readEnv = (source: Record<string, string | undefined>): { ok: true; env: Env } | { ok: false; mistakes: string[] } => {
  const given = Object.entries(source).flatMap(([name, value]) => (value === undefined || value.trim() === '' ? [] : [[name, value.trim()] as const]));
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return { ok: true, env: parsed.data };
  const mistakes = parsed.error.issues.map((issue) => `environment: ${issue.path.join('.')} ${issue.message}`);
  return { ok: false, mistakes: [...new Set(mistakes)] };
};
