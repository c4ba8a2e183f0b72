// A component's panel: made where the component first appears, told what Python says, gone with it.
// While the module is being loaded, Streamlit may ask a second time; once both calls are done it cleans up
// after the first. By then the panel is the second call's, and stays.

const MOUNTED = new WeakMap();

function mount(Panel, { parentElement, data, setStateValue, setTriggerValue }) {
  if (!MOUNTED.has(parentElement)) MOUNTED.set(parentElement, { panel: new Panel(parentElement), calls: 0 });
  const mounted = MOUNTED.get(parentElement);
  const call = ++mounted.calls;
  mounted.panel.receive(data, setStateValue, setTriggerValue);
  return () => {
    if (call !== mounted.calls || MOUNTED.get(parentElement) !== mounted) return;
    mounted.panel.close?.();
    MOUNTED.delete(parentElement);
  };
}
