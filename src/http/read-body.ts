import { concatBytes } from '../domain/concat-bytes.ts';
import { Problem } from '../gateway/problem.ts';

const maxDepth = 16;

/**
 * Reads a JSON object from a request, strictly: application/json or application/…+json, at most `maxBytes` before and after decompression, valid
 * UTF-8, depth 16, no NUL and no lone surrogate (PostgreSQL would refuse them later), no member `__proto__`, `constructor` or `prototype`, and no
 * member twice. Throws a Problem for everything else.
 */
export const readBody = async (request: Request, maxBytes: number): Promise<{ text: string; value: Record<string, unknown> }> => {
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)) throw new Problem('unsupported-media-type', 'Send the body as application/json.');
  const text = decode(await readBytes(request, maxBytes));
  if (text.trim() === '') throw invalid('The body is empty. Send a JSON object.');
  const { deepest, members } = shapeOf(text);
  if (deepest > maxDepth) throw invalid(`The JSON is nested deeper than ${maxDepth} levels.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('The body is not valid JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('The body must be a JSON object.');
  // If a price limit is sent twice, a proxy between the wallet and us may read a different one than we do.
  if (checkText(value, '') !== members) throw invalid('The body names a member twice.');
  return { text, value: value as Record<string, unknown> };
};

const invalid = (detail: string, pointer?: string): Problem =>
  new Problem('invalid-request', detail, pointer === undefined ? {} : { errors: [{ pointer, detail }] });

const readBytes = async (request: Request, maxBytes: number): Promise<Uint8Array> => {
  const tooLarge = (): Problem => new Problem('payload-too-large', `A request body may have at most ${maxBytes} bytes after decompression.`);
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  const coding = (request.headers.get('content-encoding') ?? 'identity').trim().toLowerCase();
  if (coding === 'gzip' || coding === 'x-gzip') return await unzip(request, maxBytes, tooLarge);
  if (coding !== 'identity' && coding !== '')
    throw new Problem('unsupported-media-type', 'Send the body plain or with Content-Encoding: gzip.', { headers: { 'accept-encoding': 'gzip, identity' } });
  if (request.headers.has('content-length')) {
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (bytes.length > maxBytes) throw tooLarge();
    return bytes;
  }
  return request.body ? await readStream(request.body, maxBytes, tooLarge) : new Uint8Array();
};

/** Decompresses a gzip body. A small body may become a very large one, so the output is counted, and decompression stops at the limit. */
const unzip = async (request: Request, maxBytes: number, tooLarge: () => Problem): Promise<Uint8Array> => {
  if (!request.body) return new Uint8Array();
  try {
    // Counts the input, too: a body that decompresses to nothing may be endless.
    let packed = 0;
    const counted = request.body.pipeThrough(
      new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform: (chunk, controller) => {
          packed += chunk.length;
          if (packed > maxBytes) controller.error(tooLarge());
          else controller.enqueue(chunk);
        },
      }),
    );
    return await readStream(counted.pipeThrough(new DecompressionStream('gzip')), maxBytes, tooLarge);
  } catch (error) {
    throw error instanceof Problem ? error : invalid('The body is not valid gzip, though Content-Encoding says so.');
  }
};

const readStream = async (stream: ReadableStream<Uint8Array>, maxBytes: number, tooLarge: () => Problem): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
    if (size > maxBytes) {
      await reader.cancel().catch(() => undefined);
      throw tooLarge();
    }
    chunks.push(part.value);
  }
  return concatBytes(chunks);
};

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
const decode = (bytes: Uint8Array): string => {
  try {
    return decoder.decode(bytes);
  } catch {
    throw invalid('The body is not valid UTF-8.');
  }
};

/**
 * Returns how deep a JSON text is nested, and how many members it has: counts brackets and colons outside of strings. Stops at a depth that is
 * refused.
 */
const shapeOf = (text: string): { deepest: number; members: number } => {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  let inString = false;
  for (let i = 0; i < text.length && deepest <= maxDepth; i += 1) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 92) i += 1;
      else if (code === 34) inString = false;
    } else if (code === 34) inString = true;
    else if (code === 58) members += 1;
    else if (code === 123 || code === 91) {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (code === 125 || code === 93) depth -= 1;
  }
  return { deepest, members };
};

const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

/** Returns how many members a value has, at all depths. Throws for text that PostgreSQL would refuse, and for a forbidden member name. */
const checkText = (value: unknown, pointer: string): number => {
  let members = 0;
  if (typeof value === 'string') {
    if (value.includes('\0') || !value.isWellFormed()) throw invalid('Text must not contain NUL or lone surrogates.', pointer);
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) members += checkText(item, `${pointer}/${index}`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (forbiddenKeys.has(key)) throw invalid('This member name is not allowed.', `${pointer}/${key}`);
      members += 1 + checkText(key, `${pointer}/${key}`) + checkText(item, `${pointer}/${key}`);
    }
  }
  return members;
};
