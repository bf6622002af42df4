/** The page /console: one `<ramp-console>` for the gateway that serves it. */
import './console.ts';

document.body.prepend(document.createElement('ramp-console'));
