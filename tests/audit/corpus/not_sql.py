def run(executor, plan, name, driver):
    executor.execute(f"job {name}")
    driver.execute("return document.title + '%s'" % name)
    plan.execute(plan.steps[name])
    print(f"SELECT * FROM dogs WHERE dog_name = '{name}'")
