import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ansiToSvg } from '../../scripts/terminal-svg.ts';

const esc = '\u001b';

describe('ansiToSvg()', () => {
  test('pins every run to its column and width', () => {
    const svg = ansiToSvg(`ab  ${esc}[1;31mFAIL${esc}[0m x\n`, { title: 't' });
    expect(svg).toContain('<text x="20" y="64" textLength="16.8" lengthAdjust="spacingAndGlyphs">ab</text>');
    expect(svg).toContain(
      '<text x="53.6" y="64" textLength="33.6" lengthAdjust="spacingAndGlyphs" fill="#ff8f85" font-weight="700">FAIL</text>',
    );
    expect(svg).toContain('<text x="95.6" y="64" textLength="8.4" lengthAdjust="spacingAndGlyphs">x</text>');
  });

  test('draws neighbouring blocks as one rectangle in the colour of the palette', () => {
    const svg = ansiToSvg(`${esc}[38;5;208m███${esc}[0m▄`, { title: 't' });
    expect(svg).toContain('width="25.2" height="14" fill="#ff8700"/>');
    expect(svg.match(/<rect shape/g)).toHaveLength(2);
  });

  test('knows 24-bit colours and forgets colours at 39', () => {
    const svg = ansiToSvg(`${esc}[38;2;1;2;255mblue${esc}[39mplain`, { title: 't' });
    expect(svg).toMatch(/fill="#0102ff">blue</);
    expect(svg).toMatch(/spacingAndGlyphs">plain</);
  });

  test('lets no markup, escape sequence or control character through', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.constantFrom('<script>', `${esc}]0;x\u0007`, `${esc}[2J`, '&"<', '\u0000'),
        (a, b) => {
          const svg = ansiToSvg(`${a}${b}${a}`, { title: b });
          // oxlint-disable-next-line no-control-regex -- control characters are what must not appear
          expect(svg).not.toMatch(/<script|[\u0000-\u0008\u000b-\u001f]/);
          expect(svg.match(/&(?!amp;|lt;|gt;|quot;)/)).toBeNull();
        },
      ),
    );
  });
});
