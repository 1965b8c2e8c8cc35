"""What every page of Winnow shares: colors by day and by night, for phones, keyboards and paper."""

STYLE = """\
:root {
  color-scheme: light dark;
  --ink: #1c2733; --mute: #566370; --line: #e1e6ea; --edge: #8593a0; --accent: #0f6b6b; --on-accent: #fff;
  --warn: #a8470f; --paper: #f6f7f8; --card: #fff; --soft: #e9f3f2;
  --soft-warn: #fbf1ea; --field: #edf0f2; --faint: #b9c4cc;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --ink: #e4eaee; --mute: #a5b2bd; --line: #2f3b45; --edge: #74838f; --accent: #5cc8c2; --on-accent: #0b1f1f;
    --warn: #f2a575; --paper: #12181d; --card: #1a2229; --soft: #17312f;
    --soft-warn: #38261a; --field: #26313a; --faint: #4d5c68;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { margin: 6px 0 10px; font-size: clamp(26px, 4.5vw, 40px); line-height: 1.15; text-wrap: balance; }
h2 { margin: 0 0 4px; font-size: 21px; letter-spacing: -.01em; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
code {
  padding: 1px 5px; background: var(--field); border-radius: 4px; overflow-wrap: anywhere;
  font: .9em/1.5 ui-monospace, "DejaVu Sans Mono", monospace;
}
table { border-collapse: collapse; width: 100%; font-size: 15px; }
th, td { padding: 5px 12px 5px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--mute); font-weight: 500; font-size: 13px; }
.warn { color: var(--warn); font-weight: 600; }
.pixelated { image-rendering: pixelated; }
@media (max-width: 600px) { main { padding: 24px 14px 48px; } }
@media print {
  main { max-width: none; padding: 0; }
  section, .card, tr, img { break-inside: avoid; }
}
"""
