// Finding and making elements of the page, and the one line that tells of trouble.

export const byId = (id) => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function alertOf(error) {
  byId("alert").hidden = !error;
  byId("alert").textContent = error ? error.message : "";
}

/** Runs what a button or key starts; what goes wrong is told, not lost. */
export function guarded(action) {
  return async (...given) => {
    try {
      alertOf(null);
      return await action(...given);
    } catch (error) {
      alertOf(error);
      return undefined;
    }
  };
}

/** Whether a key was meant for the control that has the focus and not for the page. */
export const isForControl = (event) =>
  event.ctrlKey || event.metaKey || event.altKey || Boolean(event.target.closest("button, input, select, label, a, summary"));

export const pngOf = (canvas) => new Promise((done) => { canvas.toBlob(done, "image/png"); });
