import type { Notice } from '../../model/delivery.ts';
import { bodyLines, headline, isoTime } from './notice.ts';
import { ReceiverMistake } from './secrets.ts';

type Fields = Record<string, unknown>;

/** What a template may name: all of the notice, and what other programs want in one piece. */
export function templateFields(notice: Notice): Fields {
  return {
    ...notice,
    headline: headline(notice),
    text: bodyLines(notice).join('\n'),
    since: isoTime(notice.sinceMs),
    ended: notice.endedAtMs === null ? '' : isoTime(notice.endedAtMs),
    priority: { page: 'P1', ticket: 'P3', info: 'P5' }[notice.severity],
  };
}

/**
 * A template is JSON whose texts have places like {{summary}}. It is read as JSON first and filled then, so that no value can
 * change its shape. A text that is nothing but one place becomes the value itself, a list for instance.
 * @throws ReceiverMistake
 */
export function fillTemplate(template: string, notice: Notice): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(template);
  } catch {
    throw new ReceiverMistake('template: must be JSON with places like {{summary}} inside its texts');
  }
  return filled(parsed, templateFields(notice));
}

function filled(value: unknown, fields: Fields): unknown {
  if (typeof value === 'string') return filledText(value, fields);
  if (Array.isArray(value)) return value.map((item) => filled(item, fields));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, fields)]));
}

const place = /\{\{\s*([A-Za-z]+)\s*\}\}/g;

function filledText(text: string, fields: Fields): unknown {
  const [whole] = text.matchAll(place);
  if (whole && whole[0] === text) return fieldOf(whole[1] ?? '', fields);
  return text.replace(place, (_, name: string) => {
    const value = fieldOf(name, fields);
    return Array.isArray(value) ? value.join(', ') : textOf(value);
  });
}

function fieldOf(name: string, fields: Fields): unknown {
  if (Object.hasOwn(fields, name)) return fields[name];
  throw new ReceiverMistake(`template: found {{${name}}}; allowed: ${Object.keys(fields).join(', ')}`);
}

function textOf(value: unknown): string {
  return value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
}
