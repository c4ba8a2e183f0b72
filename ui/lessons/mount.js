// A panel of a component: made where the component first appears, told what Python says, gone with it.

const MOUNTED = new WeakMap();

function mount(Panel, { parentElement, data, setStateValue }) {
  if (!MOUNTED.has(parentElement)) MOUNTED.set(parentElement, new Panel(parentElement));
  const panel = MOUNTED.get(parentElement);
  panel.receive(data, setStateValue);
  return () => {
    panel.close?.();
    MOUNTED.delete(parentElement);
  };
}
