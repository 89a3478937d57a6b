'use strict';
// Everything here is comfort: the page says the same without it.
(() => {
  const root = document.documentElement;

  // Light and dark: the system's choice until somebody presses the button. Whether a browser remembers that for
  // files is its own affair, and not remembering is no error.
  const remembered = (value) => {
    try {
      if (value) localStorage.setItem('dorascope-theme', value);
      return localStorage.getItem('dorascope-theme');
    } catch { return null; }
  };
  const system = matchMedia('(prefers-color-scheme: dark)');
  const button = document.getElementById('theme');
  const isDark = () => root.dataset.theme ? root.dataset.theme === 'dark' : system.matches;
  const label = () => { button.textContent = isDark() ? 'Light theme' : 'Dark theme'; };
  const before = remembered();
  if (before === 'light' || before === 'dark') root.dataset.theme = before;
  button.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    remembered(root.dataset.theme);
    label();
  });
  system.addEventListener('change', label);
  button.hidden = false;
  label();

  // Tables: filter, order, and rows a few hundred at a time, because thousands at once are slow to lay out.
  const FIRST = 100, STEP = 500;
  const number = new Intl.NumberFormat('en');
  // Numbers within text by their size, so that 192.168.4.9 comes before 192.168.4.10.
  const key = (text) => text.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(12, '0'));

  function tools(grid) {
    const body = grid.querySelector('tbody');
    const table = body.parentElement;
    const rows = [...body.rows];
    // Read once: what a row says, in the order in which the page has it.
    const texts = rows.map((row) => row.textContent.toLowerCase());
    let order = rows.map((_, at) => at);
    let limit = FIRST;
    const name = table.caption.textContent;

    const bar = document.createElement('div');
    bar.className = 'tools';
    const input = document.createElement('input');
    input.type = 'search';
    input.setAttribute('aria-label', 'Filter: ' + name);
    input.placeholder = 'Filter rows';
    input.autocomplete = 'off';
    const status = document.createElement('span');
    status.setAttribute('role', 'status');
    bar.append(input, status);
    grid.prepend(bar);
    const more = document.createElement('button');
    more.type = 'button';
    more.className = 'more';
    grid.querySelector('.scroll').after(more);

    function show() {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let found = 0;
      for (const at of order) {
        const fits = words.every((word) => texts[at].includes(word));
        if (fits) found += 1;
        const hide = !fits || found > limit;
        if (rows[at].hidden !== hide) rows[at].hidden = hide;
      }
      const shown = Math.min(found, limit);
      const of = words.length ? number.format(found) + ' of ' + number.format(rows.length) + ' rows match' : number.format(rows.length) + ' rows';
      status.textContent = shown < found ? of + ', the first ' + number.format(shown) + ' are shown' : of;
      more.hidden = shown >= found;
      more.textContent = 'Show ' + number.format(Math.min(STEP, found - shown)) + ' more rows';
    }

    function sort(head, column) {
      const ascending = head.getAttribute('aria-sort') !== 'ascending';
      for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
      const keys = rows.map((row) => row.cells[column].textContent);
      const numbers = head.classList.contains('number');
      const values = keys.map(numbers ? (text) => parseFloat(text) || 0 : key);
      const sign = ascending ? 1 : -1;
      // What is alike keeps the order of the page.
      const compare = (a, b) => (values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : 0);
      order = rows.map((_, at) => at).sort((a, b) => sign * compare(a, b) || a - b);
      // Out of the page while rows move, so that it is laid out once.
      body.remove();
      show();
      body.append(...order.map((at) => rows[at]));
      table.append(body);
    }

    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const sorter = document.createElement('button');
      sorter.type = 'button';
      sorter.textContent = head.textContent;
      sorter.addEventListener('click', () => sort(head, column));
      head.replaceChildren(sorter);
    });
    let waiting = 0;
    input.addEventListener('input', () => {
      clearTimeout(waiting);
      limit = FIRST;
      waiting = setTimeout(show, 80);
    });
    more.addEventListener('click', () => {
      const last = limit;
      limit += STEP;
      show();
      // The button may be gone; whoever pressed it by key goes on at the first new row.
      if (more.hidden) rows[order[Math.min(last, order.length - 1)]].querySelector('a')?.focus();
    });
    show();
  }
  document.querySelectorAll('[data-tools]').forEach(tools);

  // Cells: words of a sentence may wrap, single values stay on one line.
  for (const body of document.querySelectorAll('.grid tbody')) {
    for (const row of body.rows) {
      for (const cell of row.cells) {
        const length = cell.textContent.length;
        cell.classList.toggle('wide', length > 60);
        cell.classList.toggle('narrow', length < 26);
      }
    }
  }

  // A link to a card opens it, and the keyboard goes on there.
  function open() {
    const name = decodeURIComponent(location.hash.slice(1));
    const target = name && document.getElementById(name);
    const details = target && target.closest('details');
    if (!details) return;
    details.open = true;
    const summary = details.querySelector('summary');
    summary.scrollIntoView({ block: 'start' });
    summary.focus({ preventScroll: true });
  }
  addEventListener('hashchange', open);
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[href^="#"]');
    // The same link a second time changes no hash.
    if (link && link.hash === location.hash) open();
  });
  open();

  // All cards at once, for reading through and for searching with the browser.
  const cards = [...document.querySelectorAll('details.card')];
  if (cards.length > 1) {
    const all = document.createElement('button');
    all.type = 'button';
    const say = () => { all.textContent = cards.some((card) => !card.open) ? 'Open all ' + cards.length + ' proofs' : 'Close all proofs'; };
    all.addEventListener('click', () => {
      const opening = cards.some((card) => !card.open);
      for (const card of cards) card.open = opening;
      say();
    });
    say();
    const paragraph = document.createElement('p');
    paragraph.append(all);
    document.querySelector('#proofs ~ p').after(paragraph);
  }

  // On paper nothing can be opened.
  addEventListener('beforeprint', () => document.querySelectorAll('details').forEach((it) => { it.open = true; }));
})();
