const el = (name, text, cls) => {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  if (cls) e.className = cls;
  return e;
};
const pre = (text) => {
  const e = el('pre', text);
  e.tabIndex = 0;
  return e;
};
const codes = (problems) => {
  const list = pre();
  for (const [status, { description }] of problems) {
    list.append(status + ':');
    for (const code of description.split(', ')) {
      const a = el('a', code, 'code');
      a.href = '/docs/errors#' + code;
      list.append(' ', a);
    }
    list.append('\n');
  }
  return list;
};
const words = (text) => {
  const e = el('span', '', 'muted');
  text.split('`').forEach((part, i) => e.append(i % 2 ? el('code', part) : part));
  return e;
};
fetch('/openapi.json')
  .then((r) => r.json())
  .then((api) => {
    const resolve = (s) => (s && s.$ref ? api.components.schemas[s.$ref.split('/').pop()] : s) || {};
    const sketch = (raw, depth) => {
      const s = resolve(raw);
      if (s.example !== undefined) return s.example;
      if (s.const !== undefined) return s.const;
      const forms = s.oneOf || s.anyOf;
      if (forms) return sketch(forms[0], depth);
      if (s.enum) return s.enum.join(' | ');
      const type = Array.isArray(s.type) ? s.type[0] : s.type;
      if (type === 'array') return depth > 4 ? [] : [sketch(s.items, depth + 1)];
      if (type === 'object' && !Object.keys(s.properties || {}).length && !Object.keys(s.additionalProperties || {}).length) return '{ … }';
      if (type === 'object' || s.properties)
        return Object.fromEntries(
          Object.entries(s.properties || {})
            .map(([k, v]) => [k + ((s.required || []).includes(k) ? '' : '?'), depth > 4 ? '…' : sketch(v, depth + 1)])
            .concat(
              typeof s.additionalProperties === 'object' && Object.keys(s.additionalProperties).length
                ? [['<key>', sketch(s.additionalProperties, depth + 1)]]
                : [],
            ),
        );
      return s.format || type || 'any';
    };
    const root = document.getElementById('api');
    root.textContent = '';
    const groups = new Map();
    for (const [path, methods] of Object.entries(api.paths))
      for (const [method, op] of Object.entries(methods)) {
        const tag = (op.tags || ['Other'])[0];
        if (!groups.has(tag)) groups.set(tag, []);
        groups.get(tag).push([method, path, op]);
      }
    for (const [tag, ops] of groups) {
      root.append(el('h2', tag));
      for (const [method, path, op] of ops) {
        const d = el('details'),
          s = el('summary');
        d.id = op.operationId;
        s.append(el('span', method.toUpperCase(), 'method'), el('code', path), words(op.summary || ''));
        d.append(s);
        if (op.description) {
          const p = el('div');
          p.append(words(op.description));
          d.append(p);
        }
        const body = op.requestBody && op.requestBody.content['application/json'];
        if (body) d.append(el('p', 'Request'), pre(JSON.stringify(sketch(body.schema, 0), null, 2)));
        const good = op.responses[200] && op.responses[200].content;
        if (good) d.append(el('p', 'Answer'), pre(JSON.stringify(Object.values(good)[0].example || sketch(Object.values(good)[0].schema, 0), null, 2)));
        const problems = Object.entries(op.responses).filter(([status]) => status !== '200');
        if (problems.length) d.append(el('p', 'Problems'), codes(problems));
        root.append(d);
      }
    }
    const asked = document.getElementById(location.hash.slice(1));
    if (asked) {
      asked.open = true;
      asked.scrollIntoView();
    }
  })
  .catch(() => {
    document.getElementById('api').textContent = '/openapi.json could not be loaded.';
  });
