import type { AssessReport } from '../model/assess.ts';

/** The report as one JSON document; lists of numbers stay on one line, since token gaps would fill thousands. */
export function renderJson(report: AssessReport): string {
  return prettyJson(report);
}

/** JSON with two spaces of indent and number lists on one line, with a newline at the end. */
export function prettyJson(value: unknown): string {
  // Inside strings JSON has no raw newline, so this pattern meets structure only.
  const flat = JSON.stringify(value, null, 2).replace(
    /\[\n\s+((?:-?[\d.eE+-]+|null)(?:,\n\s+(?:-?[\d.eE+-]+|null))*)\n\s+\]/g,
    (_, list: string) => `[${list.replace(/,\n\s+/g, ', ')}]`,
  );
  return `${flat}\n`;
}
