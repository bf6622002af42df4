// Shows the contract of this gateway with Scalar, which the page has loaded. Nothing but this gateway is asked for anything.
const slugOf = (tag) => tag.toLowerCase().replaceAll(' ', '-');

const show = (contract) => {
  // An address like /docs#placeOrder names a call. Scalar's own name for it also contains the call's group.
  const anchors = new Map(
    Object.values(contract.paths)
      .flatMap((path) => Object.values(path))
      .map(({ operationId, tags }) => [operationId, `#tag/${slugOf(tags?.[0] ?? '')}/${operationId}`]),
  );
  const anchor = anchors.get(location.hash.slice(1));
  if (anchor !== undefined) history.replaceState(undefined, '', anchor);
  globalThis.Scalar.createApiReference('#api', {
    content: contract,
    generateTagSlug: ({ name }) => slugOf(name),
    generateOperationSlug: ({ operationId }) => operationId,
    // What would load from, or lead to, somewhere else.
    withDefaultFonts: false,
    telemetry: false,
    agent: { disabled: true },
    mcp: { disabled: true },
    showDeveloperTools: 'never',
    hideClientButton: true,
    documentDownloadType: 'none',
    // Like the guides, it follows the system.
    hideDarkModeToggle: true,
    defaultHttpClient: { targetKey: 'js', clientKey: 'fetch' },
  });
};

fetch('/openapi.json')
  .then((answer) => answer.json())
  .then(show)
  .catch(() => {
    document.getElementById('api').textContent = '/openapi.json could not be loaded.';
  });
