import { type Notice, templateMistake, templatePlace } from '../../model/delivery.ts';
import { bodyLines, headline, isoTime } from './notice.ts';
import { ReceiverMistake } from './secrets.ts';

type Fields = Record<string, unknown>;

/** The values of `templatePlaces`. */
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
  const mistake = templateMistake(template);
  if (mistake !== null) throw new ReceiverMistake(`template: ${mistake}`);
  return filled(JSON.parse(template), templateFields(notice));
}

function filled(value: unknown, fields: Fields): unknown {
  if (typeof value === 'string') return filledText(value, fields);
  if (Array.isArray(value)) return value.map((item) => filled(item, fields));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, fields)]));
}

function filledText(text: string, fields: Fields): unknown {
  const [whole] = text.matchAll(templatePlace);
  if (whole && whole[0] === text) return fields[whole[1] ?? ''];
  return text.replace(templatePlace, (_, name: string) => {
    const value = fields[name];
    return Array.isArray(value) ? value.join(', ') : textOf(value);
  });
}

function textOf(value: unknown): string {
  return value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
}
